// Original file: proto/musicfs/v1/debug.proto


export interface ClearFailpointsRequest {
}

export interface ClearFailpointsRequest__Output {
}
