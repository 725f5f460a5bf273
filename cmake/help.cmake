# cmake -DPROGRAM=.. -DFORM=man|bash -DFILE=.. -P help.cmake: writes what `PROGRAM help --FORM` prints to FILE.
execute_process(COMMAND ${PROGRAM} help --${FORM} OUTPUT_FILE ${FILE} RESULT_VARIABLE code)
if(code)
  message(FATAL_ERROR "${PROGRAM} help --${FORM} failed: ${code}")
endif()
