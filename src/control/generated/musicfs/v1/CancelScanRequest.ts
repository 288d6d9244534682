// Original file: proto/musicfs/v1/origin.proto


export interface CancelScanRequest {
  'originId'?: (string);
  '_originId'?: "originId";
}

export interface CancelScanRequest__Output {
  'originId'?: (string);
}
