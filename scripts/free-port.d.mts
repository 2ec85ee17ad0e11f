/** A port of 127.0.0.1 that nobody listens on, until somebody does. */
export function freePort(): Promise<number>;
