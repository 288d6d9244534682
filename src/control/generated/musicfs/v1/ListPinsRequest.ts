// Original file: proto/musicfs/v1/cache.proto


export interface ListPinsRequest {
}

export interface ListPinsRequest__Output {
}
