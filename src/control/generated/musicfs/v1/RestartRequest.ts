// Original file: proto/musicfs/v1/system.proto


export interface RestartRequest {
  'program'?: (string);
  '_program'?: "program";
}

export interface RestartRequest__Output {
  'program'?: (string);
}
