// Every bound of the control API, with its unit and reason.

/** Bytes of one message, either way: a tree of 1,000 actors takes a twentieth of it. */
export const maxMessageBytes = 4 * 1024 * 1024;

/** Calls under way at once, over all connections; one more is refused, as nobody but a runaway client gets there. */
export const maxCalls = 64;

/** Milliseconds that calls under way have to end when the server closes. */
export const drainMs = 1_000;

/** Bytes of a Unix socket's path: sun_path is 108 with its closing NUL. */
export const maxSocketPathBytes = 107;

/** Characters of an x-request-id that are echoed and logged; longer ones are ignored. */
export const maxRequestIdLength = 128;

/** Milliseconds a short call may take when the caller names no limit; each is answered from memory. */
export const callTimeoutMs = 10_000;
