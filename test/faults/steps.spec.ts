/** Faults at each step of a write, of a COMMIT, of a fill and of the relay, on one cluster. */
import { useOneFaultCluster } from './support/fault-tests.js';
import { commitHangs } from './steps/commit-hangs.js';
import { readerStopped } from './steps/reader-stopped.js';
import { relayInterrupted } from './steps/relay.js';
import { writeInterrupted } from './steps/write-interrupted.js';

const useCluster = useOneFaultCluster();
writeInterrupted(useCluster);
commitHangs(useCluster);
readerStopped(useCluster);
relayInterrupted(useCluster);
