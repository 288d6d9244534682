// Original file: proto/musicfs/v1/library.proto


export interface PreviewTemplateRequest {
  'template'?: (string);
  'examples'?: (number);
}

export interface PreviewTemplateRequest__Output {
  'template': (string);
  'examples': (number);
}
