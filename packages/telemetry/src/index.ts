export { type HealthCheck, HealthServer, type HealthSource } from './health-server.ts';
export { type MetricSample, type MetricSpec, Metrics } from './metrics.ts';
export { type LoggerOptions, PinoLogger } from './pino-logger.ts';
