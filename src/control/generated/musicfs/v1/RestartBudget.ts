// Original file: proto/musicfs/v1/supervision.proto


export interface RestartBudget {
  'max'?: (number);
  'resetAfterMs'?: (number | string);
}

export interface RestartBudget__Output {
  'max': (number);
  'resetAfterMs': (number);
}
