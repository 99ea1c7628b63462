# Writes OUTPUT, a C file that holds FILES (paths below DIR, separated by ';') as the table
# tct_embedded_files of audit/rules/embedded.h. Run by the build: cmake -DDIR=… -DFILES=… -P.
foreach(variable DIR FILES OUTPUT)
  if(NOT DEFINED ${variable})
    message(FATAL_ERROR "embed.cmake: ${variable} is not set")
  endif()
endforeach()

list(SORT FILES COMPARE STRING)
set(arrays "")
set(rows "")
set(number 0)
foreach(name IN LISTS FILES)
  file(READ "${DIR}/${name}" hex HEX)
  string(LENGTH "${hex}" digits)
  math(EXPR size "${digits} / 2")
  # 16 bytes a line; regular expressions in CMake have no {n}
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1, " bytes "${hex}")
  string(REPEAT "0x[0-9a-f][0-9a-f], " 16 line)
  string(REGEX REPLACE "(${line})" "\\1\n\t" bytes "${bytes}")
  string(APPEND arrays "static const unsigned char file_${number}[] = {\n\t${bytes}0x00,\n};\n\n")
  string(APPEND rows "\t{ .name = \"${name}\", .data = (const char *)file_${number}, .size = ${size} },\n")
  math(EXPR number "${number} + 1")
endforeach()

file(WRITE "${OUTPUT}" "/* Made by cmake/embed.cmake from profiles/. Do not edit. */
#include \"audit/rules/embedded.h\"

${arrays}const struct tct_embedded_file tct_embedded_files[] = {
${rows}};

const size_t tct_embedded_files_count = sizeof(tct_embedded_files) / sizeof(tct_embedded_files[0]);
")
