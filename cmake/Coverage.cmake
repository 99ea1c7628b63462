# The target `coverage`: what the tests that ran have reached (run ctest --preset coverage first).
find_program(GCOVR gcovr)
if(NOT GCOVR)
  message(STATUS "gcovr not found: no target `coverage`")
  return()
endif()
add_custom_target(
  coverage
  COMMAND "${GCOVR}" --root "${PROJECT_SOURCE_DIR}" --exclude "${PROJECT_SOURCE_DIR}/tests/"
          --exclude "${PROJECT_BINARY_DIR}/" --print-summary --html-details
          "${PROJECT_BINARY_DIR}/coverage.html" "${PROJECT_BINARY_DIR}"
  USES_TERMINAL
  VERBATIM)
