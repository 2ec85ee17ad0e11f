// One process at a time: a lock is a symlink whose target is the holder's pid.
import * as fs from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const heldLocks = new Set();

/** Runs `work` while holding `lock`: waits for a living holder, breaks the lock of a dead one. */
export async function withLock(lock, log, work) {
  fs.mkdirSync(dirname(lock), { recursive: true });
  for (let tries = 0; !tryLock(lock); tries++) {
    const hint = 'delete that file if the process builds no llama.cpp';
    if (tries % 60 === 1) log(`waiting for process ${holder(lock)}, which holds ${lock}; ${hint}`);
    await sleep(500);
  }
  heldLocks.add(lock);
  const release = () => heldLocks.delete(lock) && unlock(lock);
  process.once('exit', release);
  await work().finally(() => {
    process.off('exit', release);
    release();
  });
}

function tryLock(lock) {
  // A symlink is exclusive like mkdir, and unlike a folder it is never without its pid.
  if (attempt(() => fs.symlinkSync(`${process.pid}`, lock), 'EEXIST') !== 'EEXIST') return true;
  const pid = holder(lock);
  // In containers pids recur: a lock with our own pid that we do not hold is a dead one's.
  const dead = pid === process.pid ? !heldLocks.has(lock) : pid > 0 && !isAlive(pid);
  if (dead && holder(lock) === pid) unlock(lock);
  return false;
}

const holder = lock => Number(attempt(() => fs.readlinkSync(lock), 'ENOENT')); // NaN: released meanwhile
const unlock = lock => attempt(() => fs.unlinkSync(lock), 'ENOENT');
const isAlive = pid => attempt(() => process.kill(pid, 0), 'ESRCH', 'EPERM') !== 'ESRCH';

/** Returns what `work` returns, or the code of its error if that is among the expected ones. */
function attempt(work, ...expected) {
  try {
    return work();
  } catch (error) {
    if (expected.includes(error.code)) return error.code;
    throw error;
  }
}
