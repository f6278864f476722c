/**
 * sched_yield(2), for whoever asks again and again: with a client, its mount and a server there
 * are more threads that run than there may be CPUs, and one of them has what is waited for.
 */
import koffi from 'koffi';

const schedYield = koffi.load('libc.so.6').func('int sched_yield()') as () => number;

export function yieldCpu(): void {
  schedYield();
}
