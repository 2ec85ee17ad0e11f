export { type HttpRecorder, type RecordOptions, recordHttp } from './record-http.ts';
export {
  loadRecording,
  RECORDING_VERSION,
  type RecordedChunk,
  type RecordedEnd,
  type RecordedError,
  type RecordedExchange,
  type RecordedRequest,
  type Recording,
  saveRecording,
} from './recording.ts';
