# How everything is compiled: the target tct_flags carries it, tct_room() makes a folder's library.
include(CheckCCompilerFlag)
include(CheckPIESupported)

set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
check_pie_supported(LANGUAGES C)

add_library(tct_flags INTERFACE)
# the compiler can't see that check's ck_assert_ptr_nonnull() does not come back
set(uses_check "$<BOOL:$<TARGET_PROPERTY:TCT_USES_CHECK>>")
target_compile_definitions(tct_flags INTERFACE _GNU_SOURCE)
target_compile_options(
  tct_flags
  INTERFACE -Wall
            -Wextra
            -Wpedantic
            -Wshadow
            -Wconversion
            -Wsign-conversion
            -Wformat=2
            -Wstrict-prototypes
            -Wmissing-prototypes
            -Wundef
            -Wvla
            -Wcast-qual
            -Wwrite-strings
            -Wswitch-enum
            $<$<NOT:${uses_check}>:-Wnull-dereference>
            $<$<C_COMPILER_ID:Clang>:-Wno-gnu-statement-expression>
            $<$<BOOL:${TCPTUNE_WERROR}>:-Werror>)

if(TCPTUNE_SANITIZE)
  target_compile_options(
    tct_flags
    INTERFACE -fsanitize=${TCPTUNE_SANITIZE}
              -fno-sanitize-recover=all
              -fno-omit-frame-pointer)
  target_link_options(tct_flags INTERFACE -fsanitize=${TCPTUNE_SANITIZE})
elseif(NOT CMAKE_BUILD_TYPE STREQUAL "Debug")
  # The distribution's compiler may define _FORTIFY_SOURCE by itself.
  target_compile_options(tct_flags INTERFACE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3
                                             -fstack-protector-strong)
  foreach(flag -fstack-clash-protection -fcf-protection)
    string(MAKE_C_IDENTIFIER "TCPTUNE_HAVE${flag}" have)
    check_c_compiler_flag(${flag} ${have})
    if(${have})
      target_compile_options(tct_flags INTERFACE ${flag})
    endif()
  endforeach()
  target_link_options(tct_flags INTERFACE -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack)
endif()

if(TCPTUNE_COVERAGE)
  target_compile_options(tct_flags INTERFACE --coverage)
  target_link_options(tct_flags INTERFACE --coverage)
endif()

# tct_room(core source...): the static library tct_core of the folder it is called in.
function(tct_room name)
  add_library(tct_${name} STATIC ${ARGN})
  target_include_directories(tct_${name} PRIVATE "${PROJECT_SOURCE_DIR}")
  target_link_libraries(tct_${name} PRIVATE tct_flags)
endfunction()
