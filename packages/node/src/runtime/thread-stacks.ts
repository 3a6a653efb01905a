/** What of the inspector's protocol (Chrome DevTools; domains NodeWorker and Debugger) is used here. */
interface Attached {
  readonly params: { readonly sessionId: string; readonly workerInfo: { readonly title: string } };
}
interface Received {
  readonly params: { readonly sessionId: string; readonly message: string };
}
type WorkerMessage =
  | { readonly method: 'Debugger.scriptParsed'; readonly params: { readonly scriptId: string; readonly url: string } }
  | { readonly method: 'Debugger.paused'; readonly params: { readonly callFrames: readonly CallFrame[] } }
  | { readonly method?: undefined };
interface CallFrame {
  readonly functionName: string;
  readonly location: { readonly scriptId: string; readonly lineNumber: number };
}

/** Innermost first. */
const framesMax = 30;

/**
 * In the midst of what JavaScript the threads are whose names begin so: their frames as `function file:line`, by name. One
 * that isn't told of after `waitMs` answers nobody even between two steps: it is in native code or in a system call.
 * Threads stand still for a moment, and one that doesn't answer in time perhaps for good, so this is for those that are
 * to end with their process.
 */
export async function threadStacks(prefix: string, waitMs: number): Promise<ReadonlyMap<string, readonly string[]>> {
  const stacks = new Map<string, readonly string[]>();
  // A build of Node.js may be without it.
  const inspector = await import('node:inspector').catch(() => null);
  if (inspector === null) return stacks;
  const session = new inspector.Session();
  const asked = new Map<string, { readonly name: string; readonly scripts: Map<string, string> }>();
  const tell = (sessionId: string, method: string): void => {
    session.post('NodeWorker.sendMessageToWorker', { sessionId, message: JSON.stringify({ id: 1, method }) });
  };
  session.connect();
  try {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, waitMs);
      const look = (): void => {
        if (stacks.size < asked.size) return;
        clearTimeout(timer);
        resolve();
      };
      session.on('NodeWorker.attachedToWorker', ({ params }: Attached) => {
        const name = params.workerInfo.title.replace(/^\[worker \d+\] /, '');
        if (!name.startsWith(prefix)) return;
        asked.set(params.sessionId, { name, scripts: new Map() });
        tell(params.sessionId, 'Debugger.enable');
        tell(params.sessionId, 'Debugger.pause');
      });
      session.on('NodeWorker.receivedMessageFromWorker', ({ params }: Received) => {
        const thread = asked.get(params.sessionId);
        const message = JSON.parse(params.message) as WorkerMessage;
        if (thread === undefined || message.method === undefined) return;
        if (message.method === 'Debugger.scriptParsed') {
          thread.scripts.set(message.params.scriptId, message.params.url);
        } else if (message.method === 'Debugger.paused') {
          const frames = message.params.callFrames.slice(0, framesMax);
          stacks.set(
            thread.name,
            frames.map((frame) => frameOf(frame, thread.scripts)),
          );
          tell(params.sessionId, 'Debugger.resume');
          look();
        }
      });
      // The callback comes when all threads are attached.
      session.post('NodeWorker.enable', { waitForDebuggerOnStart: false }, look);
    });
  } finally {
    session.disconnect();
  }
  return stacks;
}

function frameOf({ functionName, location }: CallFrame, scripts: ReadonlyMap<string, string>): string {
  const file = scripts.get(location.scriptId) ?? '';
  return `${functionName || '(anonymous)'} ${file.replace(/^file:\/\//, '')}:${location.lineNumber + 1}`;
}
