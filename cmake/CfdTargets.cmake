# The house's two kinds of target: one static library a folder of src/, and one test program beside it.

# Flags for our own code only; consumers get usage requirements and nothing else.
add_library(cfd_flags INTERFACE)
target_compile_options(cfd_flags INTERFACE -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wnon-virtual-dtor
  $<$<BOOL:${CFD_DEVELOPER}>:-Werror>)
if(CFD_SANITIZE)
  add_compile_options(-fsanitize=${CFD_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${CFD_SANITIZE})
  # g++ 12 with a sanitizer sees uninitialized members of std::variant where there are none (GCC bug 105562 and kin),
  # and says of each fence, which Boost.Asio has, that ThreadSanitizer does not know it.
  add_compile_options($<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized> $<$<CXX_COMPILER_ID:GNU>:-Wno-tsan>)
endif()
if(CFD_BUILD_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

if(CFD_STATIC)
  add_compile_options(-ffunction-sections -fdata-sections)
endif()

# cfd_library(<folder> SOURCES ... [PUBLIC libs...] [PRIVATE libs...])
# Defines target cfd_<folder>, alias cfd::<folder>.
function(cfd_library folder)
  cmake_parse_arguments(arg "" "" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
  add_library(cfd_${folder} STATIC ${arg_SOURCES})
  add_library(cfd::${folder} ALIAS cfd_${folder})
  set_target_properties(cfd_${folder} PROPERTIES EXPORT_NAME ${folder} POSITION_INDEPENDENT_CODE ON)
  target_compile_features(cfd_${folder} PUBLIC cxx_std_20)
  target_include_directories(cfd_${folder}
    PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>
    PRIVATE ${PROJECT_SOURCE_DIR}/src)
  target_link_libraries(cfd_${folder} PUBLIC ${arg_PUBLIC} PRIVATE ${arg_PRIVATE} $<BUILD_INTERFACE:cfd_flags>)
  set_property(GLOBAL APPEND PROPERTY CFD_LIBRARIES cfd_${folder})
endfunction()

# cfd_test(<name> SOURCES ... [LIBS ...] [LABELS ...] [TIMEOUT seconds])
# A GoogleTest program; each of its tests is one CTest test.
function(cfd_test name)
  if(NOT CFD_BUILD_TESTS)
    return()
  endif()
  cmake_parse_arguments(arg "" "TIMEOUT" "SOURCES;LIBS;LABELS" ${ARGN})
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 120)
  endif()
  add_executable(${name}_test ${arg_SOURCES})
  target_include_directories(${name}_test PRIVATE ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/tests)
  # What is optimized is what is tested, not the test: this takes a quarter off the time that tests take to compile.
  target_compile_options(${name}_test PRIVATE $<$<CONFIG:Release>:-O1>)
  target_link_libraries(${name}_test PRIVATE ${arg_LIBS} GTest::gmock GTest::gtest_main cfd_flags)
  gtest_discover_tests(${name}_test TEST_PREFIX "${name}." DISCOVERY_TIMEOUT 60
    PROPERTIES TIMEOUT ${arg_TIMEOUT} LABELS "${arg_LABELS}")
endfunction()
