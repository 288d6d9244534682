// Original file: proto/musicfs/v1/origin.proto


export interface CancelScanResponse {
  'cancelled'?: (boolean);
}

export interface CancelScanResponse__Output {
  'cancelled': (boolean);
}
