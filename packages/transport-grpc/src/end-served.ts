import { type ServerDuplexStream, status } from '@grpc/grpc-js';
import { statusText } from './errors.ts';

/** Ends the serving side of a stream: grpc-js takes a status that isn't OK as an error event, and none of a stream that is cut. */
export function endServed(call: ServerDuplexStream<Buffer, Buffer>, code: status, reason: string): void {
  if (code === status.OK) call.end();
  else if (code !== status.CANCELLED) {
    call.emit('error', { name: 'Error', message: reason, code, details: statusText(reason) });
  }
}
