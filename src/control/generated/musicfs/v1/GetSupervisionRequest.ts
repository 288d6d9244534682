// Original file: proto/musicfs/v1/system.proto


export interface GetSupervisionRequest {
  'path'?: (string);
  'depth'?: (number);
  '_path'?: "path";
  '_depth'?: "depth";
}

export interface GetSupervisionRequest__Output {
  'path'?: (string);
  'depth'?: (number);
}
