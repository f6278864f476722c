const MICROTASKS = 12;

/** Whatever has been answered by a promise goes on. */
export async function turn(): Promise<void> {
  for (let i = 0; i < MICROTASKS; i++) await Promise.resolve();
}
