// The supervision tree as data, in start order; stopping is the reverse. Who may fail without whom is decided here.

import { type ArtworkOptions, artworkSpec } from '../actors/artwork.ts';
import { type CatalogWriterOptions, catalogWriterSpec } from '../actors/catalog-writer.ts';
import { type ControlOptions, controlSpec } from '../actors/control.ts';
import { type FetcherOptions, fetcherSpec } from '../actors/fetcher.ts';
import { type FuseHandlerOptions, fuseHandlerSpec } from '../actors/fuse-handler.ts';
import { type HealthMonitorOptions, healthMonitorSpec } from '../actors/health-monitor.ts';
import { type IndexerOptions, indexerSpec } from '../actors/indexer.ts';
import { type NativeHandlerOptions, nativeHandlerSpec } from '../actors/native-handler.ts';
import { type OriginLaneOptions, originLaneSpec } from '../actors/origin-lane.ts';
import { type PlaylistsOptions, playlistsSpec } from '../actors/playlists.ts';
import { type ResourcesOptions, resourcesSpec } from '../actors/resources.ts';
import { type SweeperOptions, sweeperSpec } from '../actors/sweeper.ts';
import { type WatchdogOptions, watchdogSpec } from '../actors/watchdog.ts';
import { type SupervisorSpec, supervisorSpec } from '../supervision/child-spec.ts';

export interface TreeOptions {
  readonly catalogWriter: CatalogWriterOptions;
  readonly healthMonitor: HealthMonitorOptions;
  readonly lanes: readonly OriginLaneOptions[];
  /** null: every file is read where it lies. */
  readonly fetcher: FetcherOptions | null;
  readonly indexer: IndexerOptions;
  /** null: playlists are not shown. */
  readonly playlists: PlaylistsOptions | null;
  readonly artwork: ArtworkOptions;
  readonly sweeper: SweeperOptions;
  readonly resources: ResourcesOptions;
  /** Of the driver that was chosen. */
  readonly fuseHandler:
    | { readonly driver: 'kernel'; readonly options: FuseHandlerOptions }
    | { readonly driver: 'fuse-native'; readonly options: NativeHandlerOptions };
  readonly control: ControlOptions;
  readonly watchdog: WatchdogOptions;
}

export function supervisionTree(options: TreeOptions): SupervisorSpec {
  return supervisorSpec({
    id: 'root',
    // What comes later relies on what comes earlier. Past its budget the process ends and is started anew.
    strategy: 'rest_for_one',
    children: [
      supervisorSpec({
        id: 'foundation',
        strategy: 'rest_for_one',
        children: [catalogWriterSpec(options.catalogWriter)],
      }),
      supervisorSpec({
        id: 'origins',
        strategy: 'one_for_one',
        children: [
          healthMonitorSpec(options.healthMonitor),
          ...options.lanes.map((lane) => originLaneSpec(lane)),
          ...(options.fetcher === null ? [] : [fetcherSpec(options.fetcher)]),
        ],
      }),
      supervisorSpec({
        id: 'library',
        strategy: 'one_for_one',
        children: [
          indexerSpec(options.indexer),
          ...(options.playlists === null ? [] : [playlistsSpec(options.playlists)]),
          artworkSpec(options.artwork),
          sweeperSpec(options.sweeper),
          resourcesSpec(options.resources),
        ],
      }),
      supervisorSpec({
        id: 'serving',
        strategy: 'rest_for_one',
        children: [
          options.fuseHandler.driver === 'kernel'
            ? fuseHandlerSpec(options.fuseHandler.options)
            : nativeHandlerSpec(options.fuseHandler.options),
          controlSpec(options.control),
        ],
      }),
      watchdogSpec(options.watchdog),
    ],
  });
}
