// Original file: proto/musicfs/v1/system.proto


export interface FuseCounters {
  'requests'?: ({[key: string]: number | string});
  'notifications'?: (number | string);
  'statements'?: (number | string);
}

export interface FuseCounters__Output {
  'requests': ({[key: string]: number});
  'notifications': (number);
  'statements': (number);
}
