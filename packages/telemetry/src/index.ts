export { type LoggerOptions, PinoLogger } from './pino-logger.ts';
