// Original file: proto/musicfs/v1/system.proto


export interface Session {
  'adopted'?: (boolean);
  'resend'?: (boolean);
  'kernelFeatures'?: (string)[];
  'openHandles'?: (number);
}

export interface Session__Output {
  'adopted': (boolean);
  'resend': (boolean);
  'kernelFeatures': (string)[];
  'openHandles': (number);
}
