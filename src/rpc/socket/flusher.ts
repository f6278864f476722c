/**
 * What is sent on several connections within one turn of the event loop goes out at its end:
 * one write for each connection, in the order in which they were first sent on.
 */
export interface Flushed {
  flush(): void;
}

const waiting: Flushed[] = [];

/** Once for each turn in which it has something to send. */
export function flushSoon(channel: Flushed): void {
  if (waiting.push(channel) === 1) queueMicrotask(flushAll);
}

function flushAll(): void {
  for (const channel of waiting.splice(0)) channel.flush();
}
