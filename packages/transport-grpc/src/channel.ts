import { type ChannelOptions, Client } from '@grpc/grpc-js';
import type { TransportLimits } from './limits.ts';
import { targetOf } from './name-resolver.ts';
import { channelCredentials, type TlsFiles } from './tls.ts';

/**
 * A connection of its own to one address. It shares nothing with others: a new stream must try at once, not wait for
 * the back-off that a shared connection's earlier failures have earned.
 */
export function connect(
  address: string,
  limits: TransportLimits,
  tls: TlsFiles | null,
  /** With TLS, the node that the server's certificate must name. */
  node: string | null = null,
): Client {
  return new Client(targetOf(address), channelCredentials(tls, node), channelOptions(limits));
}

function channelOptions(limits: TransportLimits): ChannelOptions {
  return {
    'grpc.use_local_subchannel_pool': 1,
    // With TLS only. Node refuses an IP address as the server's name, and ours are not verified by it anyway.
    'grpc.ssl_target_name_override': 'holdfast',
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 500,
    'grpc.keepalive_time_ms': limits.keepaliveTimeMs,
    'grpc.keepalive_timeout_ms': limits.keepaliveTimeoutMs,
    'grpc.max_receive_message_length': limits.frameBytesMax,
    'grpc.max_send_message_length': limits.frameBytesMax,
    'grpc-node.flow_control_window': limits.receiveWindowBytes,
    'grpc-node.max_session_memory': limits.sessionMemoryMegabytesMax,
    // Frames and calls go at most once; the retry buffer would also hold every frame a second time.
    'grpc.enable_retries': 0,
    // A proxy from the environment has no business between nodes.
    'grpc.enable_http_proxy': 0,
    'grpc.service_config_disable_resolution': 1,
    // A registry of all connections, kept for a debugging service that we don't offer.
    'grpc.enable_channelz': 0,
  };
}
