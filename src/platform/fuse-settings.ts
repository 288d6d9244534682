// How the kernel is talked to: the choices of the command line and the configuration file.

export const driverNames = ['kernel', 'fuse-native'] as const;
export type DriverName = (typeof driverNames)[number];

/** `auto`: the kernel reads local files itself where it can and may; `never`: every read is answered by the daemon. */
export const passthroughModes = ['auto', 'never'] as const;
export type PassthroughMode = (typeof passthroughModes)[number];

export interface FuseSettings {
  readonly driver: DriverName;
  readonly passthrough: PassthroughMode;
}
