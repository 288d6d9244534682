// Original file: proto/musicfs/v1/system.proto


export interface SupervisionSummary {
  'restartsTotal'?: (number);
}

export interface SupervisionSummary__Output {
  'restartsTotal': (number);
}
