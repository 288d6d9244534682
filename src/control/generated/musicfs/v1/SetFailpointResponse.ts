// Original file: proto/musicfs/v1/debug.proto


export interface SetFailpointResponse {
}

export interface SetFailpointResponse__Output {
}
