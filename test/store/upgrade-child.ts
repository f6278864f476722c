/** Opens a store of format 1, and is killed when so many objects are upgraded. */
import { Store } from '../../src/store/store.js';

const [path, at] = process.argv.slice(2);
Store.open(path ?? '', {
  create: false,
  onUpgrade: (done) => {
    if (done === Number(at)) process.kill(process.pid, 'SIGKILL');
  },
});
