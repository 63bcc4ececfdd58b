/** The one door to lmdb, for the embedded log and the cold rows. */
export { type Database, open, type RootDatabase } from 'lmdb';
