// Original file: proto/musicfs/v1/system.proto


export interface FuseCounters {
  'requests'?: ({[key: string]: number | string});
  'notifications'?: (number | string);
  'statements'?: (number | string);
  'passthroughOpens'?: (number | string);
  'bytesRead'?: (number | string);
  'bytesFetched'?: (number | string);
}

export interface FuseCounters__Output {
  'requests': ({[key: string]: number});
  'notifications': (number);
  'statements': (number);
  'passthroughOpens': (number);
  'bytesRead': (number);
  'bytesFetched': (number);
}
