# What this project links, found in one place: for the build itself and, installed beside the package, for its users.
# All of it comes from Debian 12. CFD_WITH_GRPC says whether the parts that talk gRPC are there.
find_package(Threads REQUIRED)
find_package(fmt 9 REQUIRED)
find_package(Boost 1.81 REQUIRED COMPONENTS json)
find_package(CLI11 2.1 REQUIRED)
find_package(zstd REQUIRED)
find_package(ZLIB REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(SQLite3 REQUIRED)
if(CFD_WITH_GRPC)
  find_package(yaml-cpp REQUIRED)
  find_package(Protobuf REQUIRED)
  find_package(PkgConfig REQUIRED)
  # By pkg-config, because Debian's gRPC carries CMake files that name targets it does not install.
  if(NOT TARGET PkgConfig::GRPC)
    pkg_check_modules(GRPC REQUIRED IMPORTED_TARGET GLOBAL grpc++)
  endif()
endif()
