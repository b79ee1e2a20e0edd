// Is an address out in the world, and not on our own side of the line? What answers in our own network shows nothing about
// the way to hosts elsewhere.

import { BlockList, isIP } from 'node:net';

/** Of RFC 6890: this machine, private networks, links, carriers' NAT; and of RFC 4193, 4291 for IPv6. */
const near = new BlockList();
for (const [net, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
] as const)
  near.addSubnet(net, bits, 'ipv4');
for (const [net, bits] of [
  ['::', 127],
  ['fc00::', 7],
  ['fe80::', 10],
] as const)
  near.addSubnet(net, bits, 'ipv6');

export function isPublicAddress(address: string): boolean {
  const plain = address.toLowerCase().replace(/^::ffff:(?=\d+\.)/, '');
  const family = isIP(plain);
  return family !== 0 && !near.check(plain, family === 6 ? 'ipv6' : 'ipv4');
}
