import { isIPv4 } from 'node:net';

/** Whether only this machine can reach a server that listens there. A name is resolved later, by whoever it likes. */
export function isLoopback(host: string): boolean {
  const address = host.replace(/^\[(.*)\]$/, '$1').replace(/^::ffff:/i, '');
  return address === 'localhost' || address === '::1' || (isIPv4(address) && address.startsWith('127.'));
}
