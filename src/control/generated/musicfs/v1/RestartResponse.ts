// Original file: proto/musicfs/v1/system.proto


export interface RestartResponse {
}

export interface RestartResponse__Output {
}
