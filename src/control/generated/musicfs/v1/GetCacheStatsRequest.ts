// Original file: proto/musicfs/v1/cache.proto


export interface GetCacheStatsRequest {
}

export interface GetCacheStatsRequest__Output {
}
