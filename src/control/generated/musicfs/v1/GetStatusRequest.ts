// Original file: proto/musicfs/v1/system.proto


export interface GetStatusRequest {
}

export interface GetStatusRequest__Output {
}
