export { z } from 'zod';
export { type CompiledJob, type CompileOptions, compileProcessor } from './compile-processor.ts';
export { type AnyProcessor, defineProcessor, type Processor } from './define-processor.ts';
export type {
  ErrorPolicy,
  InputSpec,
  KeyValue,
  NoParams,
  OutputSpec,
  ParseInput,
  ProcessorDefinition,
  ReadInput,
  SchemaInput,
  StateCodec,
  StateSpec,
} from './definition.ts';
export { parseDuration, tryParseDuration } from './duration.ts';
export {
  DefinitionError,
  type JobStopCode,
  JobStopError,
  type Problem,
  StateError,
  type StateErrorCode,
} from './errors.ts';
export { ForbiddenCallError } from './forbidden-calls.ts';
export type { DeepReadonly, HandlerContext, HandlerLog, QueryContext } from './handler-context.ts';
export { Dead, dead, type ReadResult, type RecordReader, Skip, skip } from './record-reader.ts';
export type { Schema } from './schema.ts';
export { StateStore, stateBytesMaxDefault } from './state-codec.ts';
export {
  type PipeOptions,
  type PipeResult,
  type RefusedRecord,
  type SentRecord,
  type TestOptions,
  type TestProcessor,
  testProcessor,
} from './test-processor.ts';
