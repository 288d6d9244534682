// Original file: proto/musicfs/v1/debug.proto


export interface ListFailpointsRequest {
}

export interface ListFailpointsRequest__Output {
}
