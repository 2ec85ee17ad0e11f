export { type FakeAdapter, type FakeAdapterOptions, type FakeCall, fakeAdapter } from './fake-adapter.ts';
export type { FakeAnswer, FakePiece, FakeScript } from './fake-script.ts';
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
export { type HttpReplay, type ReplayOptions, replayHttp } from './replay-http.ts';
export type { Split } from './split.ts';
