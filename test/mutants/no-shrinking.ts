import fc from 'fast-check';

/** Loaded before tests that are to see a planted bug: that a property fails is enough, and its least case may take minutes. */
fc.configureGlobal({ ...fc.readConfigureGlobal(), endOnFailure: true });
