# Node.js and npm, for the chat page and the tests in a browser.
#
# ordeal_node_modules(<variable>): the packages of the package.json and package-lock.json beside the
# calling CMakeLists.txt, installed below the build folder when the lock changes. The variable gets
# the folder that holds node_modules; what needs them depends on its node_modules.stamp.
find_program(ORDEAL_NODE NAMES node nodejs)
find_program(ORDEAL_NPM npm)
if(NOT ORDEAL_NODE OR NOT ORDEAL_NPM)
  message(FATAL_ERROR "node and npm are needed to build the chat page: run `./dev setup`, "
    "or install Node.js 18 or later and put it on the PATH")
endif()
execute_process(COMMAND ${ORDEAL_NODE} --version OUTPUT_VARIABLE version OUTPUT_STRIP_TRAILING_WHITESPACE)
string(REGEX REPLACE "^v" "" version "${version}")
if(version VERSION_LESS 18)
  message(FATAL_ERROR "${ORDEAL_NODE} is version '${version}', the chat page needs Node.js 18 or later")
endif()
unset(version)

function(ordeal_node_modules folder_variable)
  set(folder ${CMAKE_CURRENT_BINARY_DIR}/modules)
  set(wanted package.json package-lock.json .npmrc)
  list(TRANSFORM wanted PREPEND ${CMAKE_CURRENT_SOURCE_DIR}/)
  add_custom_command(OUTPUT ${folder}/node_modules.stamp
    COMMAND ${CMAKE_COMMAND} -E make_directory ${folder}
    COMMAND ${CMAKE_COMMAND} -E copy ${wanted} ${folder}
    COMMAND ${CMAKE_COMMAND} -E chdir ${folder} ${ORDEAL_NPM} ci --ignore-scripts --no-audit --no-fund --prefer-offline
            --loglevel=error
    COMMAND ${CMAKE_COMMAND} -E touch ${folder}/node_modules.stamp
    DEPENDS ${wanted} COMMENT "Fetching npm packages" VERBATIM)
  set(${folder_variable} ${folder} PARENT_SCOPE)
endfunction()
