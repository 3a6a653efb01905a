import { AdminClient } from '@holdfast/transport-grpc';
const c = new AdminClient(process.argv[2]! as never);
const s = await c.status(5000 as never);
console.log(JSON.stringify(s, null, 1));
process.exit(0);
