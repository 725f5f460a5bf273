# The cuda backend: whether it is built (JACCHAIN_CUDA), how its kernels are compiled, and what it links. Sets
# JACCHAIN_HAS_CUDA.
#
# The CUDA runtime is linked in (libcudart_static.a), cuBLAS is loaded when a device is first used
# (src/backend/cuda/real_loader.c): who runs the library needs a driver and cuBLAS only where the backend is used.
# nvcc is called by rules of our own. To CMake its objects are plain files: as a language, CUDA would bring its own
# libraries to every link, and with the installed package to the projects that use it.
set(JACCHAIN_CUDA AUTO CACHE STRING "the cuda backend: ON, OFF, or AUTO: where there is nvcc 13 or newer")
set_property(CACHE JACCHAIN_CUDA PROPERTY STRINGS AUTO ON OFF)
set(JACCHAIN_CUDA_ARCHITECTURES 80-real 90 CACHE STRING "kinds of devices that kernels are compiled for: N-real machine \
code, N-virtual what a newer device's driver makes machine code of, N both")
set(JACCHAIN_NVCC_FLAGS "" CACHE STRING "more options for nvcc, as a list")
set(oldest_nvcc 13.0)

# Finds nvcc and the toolkit; `why`: what is missing, or "".
function(jacchain_find_cuda why)
  find_program(JACCHAIN_NVCC nvcc HINTS $ENV{CUDACXX} ENV CUDA_PATH PATHS /usr/local/cuda PATH_SUFFIXES bin)
  mark_as_advanced(JACCHAIN_NVCC)
  if(NOT JACCHAIN_NVCC)
    set(${why} "no nvcc was found" PARENT_SCOPE)
    return()
  endif()
  execute_process(COMMAND ${JACCHAIN_NVCC} --version OUTPUT_VARIABLE text ERROR_QUIET)
  string(REGEX MATCH "release ([0-9]+\\.[0-9]+)" release "${text}")
  if(NOT release OR CMAKE_MATCH_1 VERSION_LESS oldest_nvcc)
    set(${why} "${JACCHAIN_NVCC} is of CUDA ${CMAKE_MATCH_1}, ${oldest_nvcc} is the oldest that will do" PARENT_SCOPE)
    return()
  endif()
  # It takes a C++ compiler that it knows.
  set(probe ${jacchain_BINARY_DIR}/CMakeFiles/nvcc_probe)
  file(WRITE ${probe}.cu "__global__ void probe(void) {}\n")
  execute_process(COMMAND ${JACCHAIN_NVCC} -c ${probe}.cu -o ${probe}.o RESULT_VARIABLE failed ERROR_VARIABLE text
    OUTPUT_QUIET)
  if(failed)
    string(STRIP "${text}" text)
    set(${why} "${JACCHAIN_NVCC} does not work here: ${text}" PARENT_SCOPE)
    return()
  endif()
  if(NOT CUDAToolkit_ROOT)
    get_filename_component(root ${JACCHAIN_NVCC} REALPATH)
    get_filename_component(root ${root} DIRECTORY)
    get_filename_component(CUDAToolkit_ROOT ${root} DIRECTORY)
  endif()
  find_package(CUDAToolkit ${oldest_nvcc} QUIET)
  find_path(CUBLAS_INCLUDE_DIR cublas_api.h HINTS ${CUDAToolkit_INCLUDE_DIRS})
  mark_as_advanced(CUBLAS_INCLUDE_DIR)
  if(NOT CUDAToolkit_FOUND OR NOT CUDA_cudart_static_LIBRARY)
    set(${why} "there is no libcudart_static.a beside ${JACCHAIN_NVCC}" PARENT_SCOPE)
  elseif(NOT CUBLAS_INCLUDE_DIR)
    set(${why} "there is no cublas_api.h beside ${JACCHAIN_NVCC}" PARENT_SCOPE)
  endif()
  set(CUDAToolkit_INCLUDE_DIRS ${CUDAToolkit_INCLUDE_DIRS} PARENT_SCOPE)
  set(CUDAToolkit_LIBRARY_DIR ${CUDAToolkit_LIBRARY_DIR} PARENT_SCOPE)
  set(CUDAToolkit_VERSION ${CUDAToolkit_VERSION} PARENT_SCOPE)
endfunction()

set(JACCHAIN_HAS_CUDA FALSE)
set(without "")
if(NOT JACCHAIN_CUDA)
  message(STATUS "CUDA backend: not built: JACCHAIN_CUDA is ${JACCHAIN_CUDA}")
else()
  jacchain_find_cuda(without)
  if(without STREQUAL "")
    set(JACCHAIN_HAS_CUDA TRUE)
    message(STATUS "CUDA backend: built, with CUDA ${CUDAToolkit_VERSION} (${JACCHAIN_NVCC})")
  elseif(JACCHAIN_CUDA STREQUAL "AUTO")
    message(STATUS "CUDA backend: not built: ${without}")
  else()
    message(FATAL_ERROR "JACCHAIN_CUDA is ${JACCHAIN_CUDA}, but ${without}")
  endif()
endif()

# What libcudart_static.a and dlopen take.
set(JACCHAIN_CUDA_SYSTEM_LIBRARIES dl rt)

# "80-real;90" as nvcc takes it.
function(jacchain_nvcc_architectures flags)
  set(list "")
  foreach(entry ${JACCHAIN_CUDA_ARCHITECTURES})
    string(REGEX REPLACE "-.*" "" number ${entry})
    if(NOT entry MATCHES "-virtual$")
      list(APPEND list "-gencode=arch=compute_${number},code=sm_${number}")
    endif()
    if(NOT entry MATCHES "-real$")
      list(APPEND list "-gencode=arch=compute_${number},code=compute_${number}")
    endif()
  endforeach()
  set(${flags} ${list} PARENT_SCOPE)
endfunction()

# jacchain_cuda_objects(OBJECTS SOURCE...): compiles device code, without warnings; OBJECTS: the files that come of it.
# They are linked without libstdc++: nvcc's launch stubs keep a kernel's handle in a static variable, whose value is the
# same whichever thread sets it.
function(jacchain_cuda_objects objects)
  jacchain_nvcc_architectures(architectures)
  set(made "")
  foreach(source ${ARGN})
    file(RELATIVE_PATH name ${jacchain_SOURCE_DIR} ${source})
    set(object ${jacchain_BINARY_DIR}/nvcc/${name}.o)
    get_filename_component(folder ${object} DIRECTORY)
    file(MAKE_DIRECTORY ${folder})
    add_custom_command(OUTPUT ${object} DEPENDS ${source} DEPFILE ${object}.d COMMENT "Building CUDA object ${name}.o"
      COMMAND ${JACCHAIN_NVCC} -std=c++17 -O3 ${architectures} ${JACCHAIN_NVCC_FLAGS} -Werror=all-warnings
        -Xcompiler=-fPIC,-fvisibility=hidden,-fno-exceptions,-fno-rtti,-fno-threadsafe-statics,-Wall,-Wextra,-Wshadow,-Werror
        -I${jacchain_SOURCE_DIR} -I${jacchain_SOURCE_DIR}/include -I${jacchain_SOURCE_DIR}/src -MD -MF ${object}.d -c ${source} -o ${object}
      VERBATIM)
    list(APPEND made ${object})
  endforeach()
  set(${objects} ${made} PARENT_SCOPE)
endfunction()

if(JACCHAIN_HAS_CUDA)
  file(GLOB kernels CONFIGURE_DEPENDS ${jacchain_SOURCE_DIR}/kernels/*.cu)
  jacchain_cuda_objects(JACCHAIN_KERNELS ${kernels})
  add_custom_target(jacchain_kernels DEPENDS ${JACCHAIN_KERNELS})
endif()

# jacchain_use_cuda(TARGET): the real table of device calls in an object library; who links it gets the kernels and
# the runtime.
function(jacchain_use_cuda target)
  # The toolkit's headers are not ours to keep free of warnings.
  target_include_directories(${target} SYSTEM PRIVATE ${CUDAToolkit_INCLUDE_DIRS} ${CUBLAS_INCLUDE_DIR})
  target_compile_definitions(${target} PUBLIC JACCHAIN_HAS_CUDA)
  set_source_files_properties(${jacchain_SOURCE_DIR}/src/backend/cuda/real_loader.c PROPERTIES COMPILE_DEFINITIONS
    "JC_CUDA_LIBRARY_DIR=\"${CUDAToolkit_LIBRARY_DIR}\"")
  add_dependencies(${target} jacchain_kernels)
  target_link_libraries(${target} INTERFACE ${JACCHAIN_KERNELS} ${CUDA_cudart_static_LIBRARY}
    ${JACCHAIN_CUDA_SYSTEM_LIBRARIES})
endfunction()

# jacchain_embed_cuda(LIBRARY): the kernels and the runtime as parts of the library. A static one gets the runtime's one
# object as a member, so that the archive stays usable where there is no toolkit, or another one.
function(jacchain_embed_cuda library)
  target_sources(${library} PRIVATE ${JACCHAIN_KERNELS})
  if(BUILD_SHARED_LIBS)
    target_link_libraries(${library} PRIVATE ${CUDA_cudart_static_LIBRARY})
  else()
    add_custom_command(TARGET ${library} POST_BUILD VERBATIM
      COMMAND ${CMAKE_COMMAND} -DAR=${CMAKE_AR} -DARCHIVE=$<TARGET_FILE:${library}>
        -DADD=${CUDA_cudart_static_LIBRARY} -DSCRATCH=${jacchain_BINARY_DIR}/cudart_static
        -P ${jacchain_SOURCE_DIR}/cmake/merge_archive.cmake)
  endif()
  target_link_libraries(${library} PRIVATE ${JACCHAIN_CUDA_SYSTEM_LIBRARIES})
endfunction()
