// Original file: proto/musicfs/v1/debug.proto


export interface ClearFailpointsResponse {
}

export interface ClearFailpointsResponse__Output {
}
