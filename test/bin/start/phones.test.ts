import { expect, it } from 'vitest';
import { networkAddress } from '../../../bin/start/phones.ts';

const address = (family: 'IPv4' | 'IPv6', internal: boolean, text: string) => ({
  ...{ family, internal, address: text, netmask: '', mac: '', cidr: null },
  ...{ scopeid: 0 },
});

it('finds the address that phones of the same network know', () => {
  const loopback = address('IPv4', true, '127.0.0.1');

  expect(
    networkAddress({
      lo: [loopback],
      wlan0: [address('IPv6', false, 'fe80::1'), address('IPv4', false, '192.168.1.5')],
      docker0: [address('IPv4', false, '172.17.0.1')],
    }),
  ).toBe('192.168.1.5');
  expect(networkAddress({ lo: [loopback] })).toBeUndefined();
});
