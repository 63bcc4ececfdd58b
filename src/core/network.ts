import { BlockList, isIP } from 'node:net';

/** An address, or a network in CIDR notation. */
export function isNetwork(text: string): boolean {
  const [address = '', bits, ...rest] = text.split('/');
  const family = isIP(address);
  if (family === 0 || rest.length > 0) return false;
  if (bits === undefined) return true;
  return /^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128);
}

/** Whether an address lies in the network; no address lies nowhere. */
export function networkCheck(network: string): (clientIp: string | null) => boolean {
  const [address = '', bits] = network.split('/');
  const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
  const list = new BlockList();
  list.addSubnet(address, bits === undefined ? (family === 'ipv4' ? 32 : 128) : Number(bits), family);
  // An IPv4 address inside IPv6 (::ffff:192.0.2.1) is compared as IPv4 by the block list itself.
  return (clientIp) =>
    clientIp !== null && isIP(clientIp) !== 0 && list.check(clientIp, isIP(clientIp) === 6 ? 'ipv6' : 'ipv4');
}
