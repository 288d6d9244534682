// How the kernel is talked to: the choices of the command line and the configuration file.

export const driverNames = ['kernel', 'fuse-native'] as const;
export type DriverName = (typeof driverNames)[number];

/** `auto`: the kernel reads local files itself where it can and may; `never`: every read is answered by the daemon. */
export const passthroughModes = ['auto', 'never'] as const;
export type PassthroughMode = (typeof passthroughModes)[number];

/** As whose, and with which permission bits, files and directories are shown: the kernel decides by them who may read. */
export interface Ownership {
  readonly uid: number;
  readonly gid: number;
  readonly filePermissions: number;
  readonly directoryPermissions: number;
}

/** The same as configured; null: the user who mounts. */
export type OwnershipSettings = Omit<Ownership, 'uid' | 'gid'> & {
  readonly uid: number | null;
  readonly gid: number | null;
};

/** Copies made with `cp -r` can be deleted again. */
export const defaultOwnership: OwnershipSettings = {
  uid: null,
  gid: null,
  filePermissions: 0o644,
  directoryPermissions: 0o755,
};

export interface FuseSettings {
  readonly driver: DriverName;
  readonly passthrough: PassthroughMode;
  readonly ownership: OwnershipSettings;
}
