// The faults the product answers for: what breaks, and what then happens. An id is stable and names the tests that prove
// it. docs/RESILIENCE.md is made from this list by scripts/resilience.ts.

export interface Fault {
  readonly id: string;
  readonly fault: string;
  readonly behaviour: string;
  /** Left out: built. Otherwise what must exist first. */
  readonly waitsFor?: string;
}

export const faults: readonly Fault[] = [
  {
    id: 'R-01',
    fault: 'A stop signal comes',
    behaviour:
      'What was read is answered, the mount goes, exit 0 within 10 s; a second signal ends the process at once',
  },
  {
    id: 'R-02',
    fault: 'Something throws where nobody catches it, or a thread or process of ours dies',
    behaviour:
      'One report with stack and causes on stderr and in `crash/` of the state directory (the newest 20); the process ends with 70, a thread or process is started again',
  },
  {
    id: 'R-03',
    fault: 'The daemon stops while work is under way',
    behaviour:
      'Parts end in reverse order of their start, each within its time or cut off and named; reads end with data or EIO; the catalog is whole and its log empty',
  },
  {
    id: 'R-04',
    fault: 'The catalog file is damaged',
    behaviour:
      'Found by the start, by a check after a start that no ordered stop went before, and by any statement that fails. The file is kept aside; the newest sound backup takes its place, else a scan builds it anew. Meanwhile EIO, never ENOENT; ids are never given out twice',
  },
  {
    id: 'R-05',
    fault: 'The daemon dies in the middle of a scan',
    behaviour: 'What was published stays; the next life goes on by itself and reads few files twice',
  },
  {
    id: 'R-06',
    fault: 'A part of the daemon fails or hangs',
    behaviour:
      'Its supervisor sees it and starts it again, after 0, 1, 5, 30, 30 s; readers notice nothing; the status tells',
  },
  {
    id: 'R-07',
    fault: 'A dead mount is in the way of a start',
    behaviour: 'Ours and dead: taken away. Alive, foreign, or of another user: refused, untouched',
  },
  {
    id: 'R-08',
    fault: 'The disk is full',
    behaviour:
      'At 90 % of its limit the cache is emptied to 80 %; from 95 % room is made before each write; a full disk, or one with too little left, is not written to: what is kept is served, the rest comes from the origins. The limit is never exceeded',
  },
  {
    id: 'R-09',
    fault: 'A change fails half way',
    behaviour: 'Nothing of it is seen, and nothing of it is left for the next one',
  },
  {
    id: 'R-10',
    fault: 'The service manager waits for a word',
    behaviour: 'It is told when the mount answers, and how it goes on',
  },
  {
    id: 'R-11',
    fault: 'The process lives and nothing answers',
    behaviour: 'A watchdog that looks through the mount has it killed and started again',
  },
  {
    id: 'R-12',
    fault: 'Connections are made anew for each read',
    behaviour:
      'Connections are kept and shared, four at most for each origin; one that died unnoticed costs one more dial and no read',
  },
  {
    id: 'R-13',
    fault: 'A subscriber of events is slow',
    behaviour: 'Its queue is bounded, what it lost is counted',
    waitsFor: 'events for clients',
  },
  {
    id: 'R-14',
    fault: 'The mount is taken away while the daemon lives',
    behaviour:
      'A deliberate unmount ends the daemon with 0; an aborted connection is followed by a new mount within seconds',
  },
  {
    id: 'R-15',
    fault: 'The index of the cache is damaged',
    behaviour:
      'It is put aside and made anew at once; the chunk files are indexed again in the background. `cache verify --repair` puts right what index and files say differently',
  },
  {
    id: 'R-16',
    fault: 'The configuration changes',
    behaviour:
      'SIGHUP reads it: what can change at once does, the rest is named; a bad one changes nothing. A restart keeps the mount',
  },
  {
    id: 'R-17',
    fault: 'The stop chain of the unit fails',
    behaviour: 'Each way to end leaves the mount as it should be',
  },
  {
    id: 'R-18',
    fault: 'A disk or an origin hangs',
    behaviour:
      'Each call has its limits and a read ends with EIO after 30 s, once and not twice; names, attributes, other origins and the daemon itself are unaffected; what is known to be down is refused within 50 ms',
  },
  {
    id: 'R-19',
    fault: 'Two daemons want one state directory',
    behaviour:
      'The second is refused at once with the PID of the first; the death of the first frees the lock, whatever its children do',
  },
  {
    id: 'R-20',
    fault: 'The size of the cache is counted wrong',
    behaviour:
      'It is kept by the change itself, equals a recount, and costs no walk at the start; what was read least lately goes first, also after a restart',
  },
  {
    id: 'R-21',
    fault: 'The look at an origin hangs',
    behaviour: 'It has failed after 5 s, whatever the kind of the origin; a late answer keeps nobody waiting',
  },
  {
    id: 'R-22',
    fault: 'One dead origin delays the looks at others',
    behaviour: 'All are looked at side by side, each within its own limit',
  },
  {
    id: 'R-23',
    fault: 'All origins are gone',
    behaviour:
      'The mount is offline: names are listed, what is kept plays, the rest is refused at once; looks once a minute, one line a minute; found again by itself',
  },
  {
    id: 'R-24',
    fault: 'A watched directory goes',
    behaviour: 'It is watched again when it is back',
    waitsFor: 'watching for changes',
  },
  {
    id: 'R-25',
    fault: 'Names of hosts cannot be resolved',
    behaviour:
      'The origin is degraded, and no more: the last good address is used for a minute, the name is asked for again every 5 s',
  },
  {
    id: 'R-26',
    fault: 'A replica serves older content',
    behaviour:
      'Who served a file is told (`user.musicfs.served_by`); when the holder whose word counts is back, those files are looked at before all others',
  },
  {
    id: 'R-27',
    fault: 'Everything is asked at once of a disk that does not answer',
    behaviour: 'Names and attributes are answered as when all is quiet',
  },
  {
    id: 'R-28',
    fault: 'The search index lags or breaks',
    behaviour: 'The library does not depend on it',
    waitsFor: 'search',
  },
  {
    id: 'R-29',
    fault: 'Descriptors run out',
    behaviour:
      'The soft limit is raised at the start; at 80 % a warning, at 95 % idle files are closed; reads go on or fail cleanly',
  },
  {
    id: 'R-30',
    fault: 'Remote changes send no events',
    behaviour: 'Network origins are polled',
    waitsFor: 'watching for changes',
  },
  {
    id: 'R-31',
    fault: 'The library is large',
    behaviour:
      'Nothing is loaded: memory does not grow with it. It is sampled: at 80 % of its limit a warning, at 95 % what is free is given back',
  },
  {
    id: 'R-32',
    fault: 'The wall clock jumps',
    behaviour:
      'No timer moves; files with times around the jump or in the future are compared by their audio; nothing that was removed is forgotten early; no file counts as still for a minute',
  },
  {
    id: 'R-33',
    fault: 'A piece of the cache is torn',
    behaviour: 'Under a name there is a whole chunk or none; leftovers go at the next start',
  },
  {
    id: 'R-34',
    fault: 'The unit has no limits',
    behaviour: 'Memory, tasks and descriptors have theirs',
  },
  {
    id: 'R-35',
    fault: 'The catalog dies at run time',
    behaviour: 'Readers are switched to a backup in place',
    waitsFor: 'switching readers in place; until then the process ends and the next one recovers, see R-04',
  },
  {
    id: 'R-36',
    fault: 'The index of the cache dies at run time',
    behaviour: 'Reads go on from the origins; it is made anew, nothing ends',
  },
  {
    id: 'R-37',
    fault: 'A piece of the cache is rotten or gone',
    behaviour:
      'It is found by its hash, dropped, fetched again, and the reader that waits gets the right bytes; with the origin down EIO, never a wrong byte',
  },
  {
    id: 'R-38',
    fault: 'The search index dies at run time',
    behaviour: 'It is built anew, the library goes on',
    waitsFor: 'search',
  },
  {
    id: 'R-39',
    fault: 'The disk of the cache dies or turns read-only',
    behaviour:
      'Reads go on from the origins, the mount is degraded and says why; when the disk can be used again it is',
  },
  {
    id: 'R-40',
    fault: 'What the daemon writes may not be written',
    behaviour:
      'The start is refused before anything is touched; the message has path, owner, the mode found and the one wanted',
  },
  {
    id: 'R-41',
    fault: 'The keeper dies',
    behaviour: 'The daemon serves on and warns that its own death would end the mount',
  },
  {
    id: 'R-42',
    fault: 'A request kills each life that serves it',
    behaviour: 'At its third delivery it fails, and the others are served',
  },
  {
    id: 'R-43',
    fault: 'An origin is empty, failing or gone',
    behaviour: 'Nothing is removed; many files at once never go without a person’s word',
  },
  {
    id: 'R-44',
    fault: 'A call on a dead network mount never returns',
    behaviour:
      'It is made in a process of the share, which is killed and replaced; four that not even die are left behind, then calls fail at once. What lies where a share was mounted is not taken for it',
  },
  {
    id: 'R-45',
    fault: 'An origin lies about its bytes',
    behaviour:
      'Length and version are checked before anything is kept: a body that ends too early or is another range is a failure of that origin, and the next attempt goes on where it ended. Of bits that turn in a body over plain HTTP or on a disk nobody can know at the first read',
  },
  {
    id: 'R-46',
    fault: 'A file changes while it is read',
    behaviour: 'One open sees one version, or EIO',
  },
  {
    id: 'R-47',
    fault: 'An origin is slow but alive',
    behaviour:
      'Degraded when the middle of its last 20 first bytes is above 2 s, or less than 64 KiB/s come: a replica goes before it; given another chance within a minute',
  },
  {
    id: 'R-48',
    fault: 'A file kills, hangs or bloats its parser',
    behaviour: 'The parser dies alone; the file is tried once more, then listed as failed',
  },
  {
    id: 'R-49',
    fault: 'The main thread stalls',
    behaviour: 'Names, attributes and bytes in memory are answered as before',
  },
  {
    id: 'R-50',
    fault: 'Death between a change and the word of it to the kernel',
    behaviour: 'The word is a row that is written with the change and told by the next life',
  },
  {
    id: 'R-51',
    fault: 'Files that the kernel reads itself outlive the daemon',
    behaviour: 'The next life knows them',
  },
  {
    id: 'R-52',
    fault: 'A migration fails, or the catalog is of a newer program',
    behaviour:
      'A copy is made first and put back; the start is refused with exit 1; a newer schema is refused with both named and nothing touched',
  },
];
