/* A mapped input file that becomes shorter while it is in use. */
#ifndef JC_CLI_SHRUNK_H
#define JC_CLI_SHRUNK_H

/* From now on a SIGBUS in the mapping of an input file ends the process with exit code 3 and a sentence that names the
 * file; an output file that was begun is taken away. Any other SIGBUS does what it did before. */
void jc_cli_catch_shrunk_files(void);

#endif
