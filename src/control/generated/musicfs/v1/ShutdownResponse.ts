// Original file: proto/musicfs/v1/system.proto


export interface ShutdownResponse {
}

export interface ShutdownResponse__Output {
}
