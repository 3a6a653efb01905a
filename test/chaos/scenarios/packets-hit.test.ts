import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hitsIn, largerIn, packetsCut, takenIn, turnedIn } from './packets-hit.ts';

const input = `Chain INPUT (policy ACCEPT 7 packets, 900 bytes)
    pkts      bytes target     prot opt in     out     source               destination
     120    45000 DROP       all  --  *      *       10.231.7.2           0.0.0.0/0
       3      180 REJECT     6    --  *      *       0.0.0.0/0            0.0.0.0/0            tcp dpts:7200:7209 reject-with tcp-reset
       9      900 ACCEPT     all  --  *      *       10.231.7.3           0.0.0.0/0
`;

test('packets that rules have dropped or refused', () => {
  assert.equal(hitsIn(input), 123);
  assert.equal(hitsIn(input.replace('120 ', '0 ').replace('  3 ', '  0 ')), 0);
  assert.equal(packetsCut({ inside: () => input }, ['n1', 'n2']), 246);
  assert.throws(() => packetsCut({ inside: () => 'Chain INPUT (policy ACCEPT 7 packets, 900 bytes)' }, ['n1']));
});

test('packets that rules have counted by their length', () => {
  const output = `Chain OUTPUT (policy ACCEPT 412 packets, 90000 bytes)
    pkts      bytes target     prot opt in     out     source               destination
      31    41000            all  --  *      eth0    0.0.0.0/0            0.0.0.0/0            length 601:65535
       2     2000 DROP       all  --  *      *       10.231.7.2           0.0.0.0/0
`;
  assert.equal(largerIn(output), 31);
});

test('connections that go through proxies, and not datagrams', () => {
  const nat = `Chain OUTPUT (policy ACCEPT 0 packets, 0 bytes)
    pkts      bytes target     prot opt in     out     source               destination
      40     4000 DNAT       udp  --  *      *       0.0.0.0/0            10.231.7.2           udp dpt:7100 to:10.231.7.254:4000
       4      240 DNAT       6    --  *      *       0.0.0.0/0            10.231.7.2           tcp dpt:7000 to:10.231.7.254:4001
`;
  assert.equal(turnedIn(nat), 4);
});

test('datagrams that sockets have got', () => {
  const snmp = `Tcp: RtoAlgorithm RtoMin
Tcp: 1 200
Udp: InDatagrams NoPorts InErrors OutDatagrams
Udp: 512 3 0 99
UdpLite: InDatagrams NoPorts
UdpLite: 1 2
`;
  assert.equal(takenIn(snmp), 512);
  assert.throws(() => takenIn('Tcp: 1'));
});
